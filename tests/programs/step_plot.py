import matplotlib.pyplot as plt
import numpy as np

x = np.arange(14)
y = np.sin(x / 2)
for where, shift in (("pre", 2), ("mid", 1), ("post", 0)):
    plt.step(x, y + shift, where=where, label=where)
    plt.plot(x, y + shift, "o--", color="grey", alpha=0.3)
plt.legend(title="where:")
plt.show()
