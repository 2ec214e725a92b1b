import matplotlib.pyplot as plt
import numpy as np

pts = np.random.RandomState(1).rand(30) * 0.2
pts[[3, 14]] += 0.8
fig, (ax1, ax2) = plt.subplots(2, 1, sharex=True)
fig.subplots_adjust(hspace=0.05)
for ax in (ax1, ax2):
    ax.plot(pts)
ax1.set_ylim(0.78, 1.0)
ax2.set_ylim(0, 0.22)
ax1.spines.bottom.set_visible(False)
ax2.spines.top.set_visible(False)
ax1.tick_params(labeltop=False, bottom=False)
plt.show()
