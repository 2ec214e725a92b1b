import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.axes_grid1 import make_axes_locatable

fig, ax = plt.subplots()
image = ax.imshow(np.arange(100).reshape((10, 10)), cmap="plasma", origin="lower", extent=[0, 1, 0, 1])
cax = make_axes_locatable(ax).append_axes("right", size="5%", pad=0.05)
plt.colorbar(image, cax=cax)
plt.show()
