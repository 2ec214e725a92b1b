import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 10, 400)
fig, ax = plt.subplots()
ax.plot(x, np.sin(x) * np.exp(-x / 5))
inset = ax.inset_axes([0.5, 0.55, 0.45, 0.4], xlim=(1, 2), ylim=(0.4, 0.8), xticklabels=[], yticklabels=[])
inset.plot(x, np.sin(x) * np.exp(-x / 5))
ax.indicate_inset_zoom(inset, edgecolor="black")
plt.show()
