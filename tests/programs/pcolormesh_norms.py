import matplotlib.colors as colors
import matplotlib.pyplot as plt
import numpy as np

x, y = np.mgrid[-3:3:100j, -2:2:100j]
z = 2 * (5 * np.exp(-x**2 - y**2) - np.exp(-(x - 1) ** 2 - (y - 1) ** 2))
fig, ax = plt.subplots(2, 1)
first = ax[0].pcolormesh(x, y, z, norm=colors.SymLogNorm(0.015, vmin=-8, vmax=8), cmap="RdBu_r", shading="nearest")
fig.colorbar(first, ax=ax[0], extend="both")
second = ax[1].pcolormesh(x, y, z, norm=colors.BoundaryNorm(np.linspace(-8, 8, 9), 256), cmap="PRGn", shading="nearest")
fig.colorbar(second, ax=ax[1], ticks=[-8, 0, 8])
plt.show()
