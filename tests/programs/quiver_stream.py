import matplotlib.pyplot as plt
import numpy as np

y, x = np.mgrid[-3:3:30j, -3:3:30j]
u, v = -1 - x**2 + y, 1 + x - y**2
fig, (a, b) = plt.subplots(1, 2, figsize=(10, 4))
q = a.quiver(x[::3, ::3], y[::3, ::3], u[::3, ::3], v[::3, ::3])
a.quiverkey(q, X=0.3, Y=1.1, U=10, label="length = 10", labelpos="E")
b.streamplot(x, y, u, v, color=np.hypot(u, v), cmap="autumn", density=0.7)
plt.show()
