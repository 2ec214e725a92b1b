import matplotlib.pyplot as plt
import matplotlib.tri as tri
import numpy as np

angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
radii = np.linspace(0.3, 1, 6)
x = (radii[:, None] * np.cos(angles)).ravel()
y = (radii[:, None] * np.sin(angles)).ravel()
mesh = tri.Triangulation(x, y)
fig, ax = plt.subplots()
ax.tricontourf(mesh, np.cos(3 * x) * y)
ax.triplot(mesh, "k-", lw=0.3)
ax.set_aspect("equal")
plt.show()
