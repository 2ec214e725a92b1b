import matplotlib.pyplot as plt
import numpy as np

x = np.arange(0.1, 4, 0.5)
y = np.exp(-x)
error = 0.1 + 0.2 * x
fig, (ax0, ax1) = plt.subplots(nrows=2, sharex=True)
ax0.errorbar(x, y, yerr=error, fmt="-o")
ax1.errorbar(x, y, xerr=[0.4 * error, error], fmt="o")
ax1.set_yscale("log")
plt.show()
