import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(-3, 5, 150).reshape(1, -1)
y = np.linspace(-3, 5, 120).reshape(-1, 1)
z = np.cos(x) + np.sin(y)
fig, ax = plt.subplots()
filled = ax.contourf(x.flatten(), y.flatten(), z, hatches=["-", "/", "\\", "//"], cmap="gray", extend="both", alpha=0.5)
fig.colorbar(filled)
plt.show()
