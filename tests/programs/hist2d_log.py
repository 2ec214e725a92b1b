import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colors

rng = np.random.default_rng(5)
x = rng.standard_normal(20000)
y = 1.2 * x + rng.standard_normal(20000) / 3
fig, axs = plt.subplots(1, 3, figsize=(12, 4), sharex=True, sharey=True, tight_layout=True)
axs[0].hist2d(x, y, bins=40)
axs[1].hist2d(x, y, bins=40, norm=colors.LogNorm())
axs[2].hist2d(x, y, bins=(80, 10), norm=colors.LogNorm())
plt.show()
