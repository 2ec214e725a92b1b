import matplotlib.pyplot as plt
import numpy as np

names = ["v1.0", "v1.1", "v1.2", "v2.0", "v2.1"]
dates = np.array(["2014-02-26", "2014-10-20", "2015-02-12", "2016-01-17", "2017-01-16"], dtype="datetime64[D]")
levels = np.array([-5, 3, -3, 5, -1])
fig, ax = plt.subplots(figsize=(8.8, 4), layout="constrained")
ax.vlines(dates, 0, levels, color="tab:red")
ax.plot(dates, np.zeros_like(levels), "-o", color="k", markerfacecolor="w")
for date, level, name in zip(dates, levels, names):
    ax.annotate(name, xy=(date, level), xytext=(-3, np.sign(level) * 3), textcoords="offset points",
                horizontalalignment="right", verticalalignment="bottom" if level > 0 else "top")
ax.yaxis.set_visible(False)
ax.spines[["left", "top", "right"]].set_visible(False)
plt.show()
