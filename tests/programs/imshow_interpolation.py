import matplotlib.pyplot as plt
import numpy as np

grid = np.random.RandomState(19680801).rand(4, 4)
fig, axs = plt.subplots(nrows=3, ncols=3, figsize=(9, 6), subplot_kw={"xticks": [], "yticks": []})
for ax, method in zip(axs.flat, [None, "none", "nearest", "bilinear", "bicubic", "spline16", "hanning", "gaussian", "sinc"]):
    ax.imshow(grid, interpolation=method, cmap="viridis")
    ax.set_title(str(method))
plt.tight_layout()
plt.show()
