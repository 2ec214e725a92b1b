import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.axes_grid1 import ImageGrid

fig = plt.figure(figsize=(5, 5))
grid = ImageGrid(fig, 111, nrows_ncols=(2, 2), axes_pad=0.1, cbar_mode="single", cbar_location="right")
for ax, k in zip(grid, range(4)):
    image = ax.imshow(np.outer(np.arange(10), np.arange(10)) % (k + 3))
grid.cbar_axes[0].colorbar(image)
plt.show()
