import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([1, 2, 3], alpha=0.7)
fig.figimage(np.linspace(0, 1, 2500).reshape(50, 50), 40, 40, zorder=3, alpha=0.7, cmap="hot")
plt.show()
