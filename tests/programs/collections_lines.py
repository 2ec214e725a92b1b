import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Rectangle

x = np.linspace(0, 3 * np.pi, 300)
points = np.array([x, np.sin(x)]).T.reshape(-1, 1, 2)
lines = LineCollection(np.concatenate([points[:-1], points[1:]], axis=1), cmap="viridis", array=np.cos(x), linewidth=3)
fig, ax = plt.subplots()
fig.colorbar(ax.add_collection(lines), ax=ax)
ax.add_collection(PatchCollection([Rectangle((i, -0.5), 0.5, 0.3) for i in range(5)], alpha=0.3))
ax.set(xlim=(0, 9.5), ylim=(-1.1, 1.1))
plt.show()
