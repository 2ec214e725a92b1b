import matplotlib.pyplot as plt
import numpy as np

x, y = np.meshgrid(np.arange(-3.0, 3.0, 0.025), np.arange(-2.0, 2.0, 0.025))
z = (np.exp(-x**2 - y**2) - np.exp(-(x - 1) ** 2 - (y - 1) ** 2)) * 2
fig, ax = plt.subplots()
lines = ax.contour(x, y, z, levels=8)
ax.clabel(lines, fontsize=9)
ax.set_title("Simplest default with labels")
plt.show()
