import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np

base = np.datetime64("2005-02-01")
dates = base + np.arange(0, 732) * np.timedelta64(1, "h")
y = np.cumsum(np.random.RandomState(19680801).randn(732))
fig, axs = plt.subplots(3, 1, layout="constrained", figsize=(6, 6))
for n, ax in enumerate(axs):
    ax.plot(dates, y)
    ax.set_xlim(*(np.datetime64("2005-02-01"), np.datetime64("2005-02-03") + n * np.timedelta64(14, "D")))
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(ax.xaxis.get_major_locator()))
plt.show()
