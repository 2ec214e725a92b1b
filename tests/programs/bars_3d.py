import matplotlib.pyplot as plt
import numpy as np

fig = plt.figure(figsize=(8, 3))
for i, shade in enumerate((True, False)):
    ax = fig.add_subplot(1, 2, i + 1, projection="3d")
    x, y = (a.ravel() for a in np.meshgrid(np.arange(4), np.arange(5)))
    ax.bar3d(x, y, np.zeros_like(x), 1, 1, x + y, shade=shade)
plt.show()
