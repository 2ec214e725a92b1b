import matplotlib.pyplot as plt
import numpy as np

with plt.xkcd():
    fig = plt.figure()
    ax = fig.add_axes((0.1, 0.2, 0.8, 0.7))
    ax.spines[["top", "right"]].set_visible(False)
    data = np.ones(100)
    data[70:] -= np.arange(30)
    ax.annotate("THE DAY I REALIZED\nI COULD COOK BACON", xy=(70, 1), arrowprops=dict(arrowstyle="->"), xytext=(15, -10))
    ax.plot(data)
    ax.set_ylim(-30, 10)
plt.show()
