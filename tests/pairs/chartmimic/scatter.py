import matplotlib.pyplot as plt
import numpy as np

plt.scatter([1, 2, 3], [3, 2, 1], c="green", s=80, marker="^")
plt.scatter([1, 2, 3], [1, 2, 3], c=[0.1, 0.5, 0.9])
plt.scatter([2], [2], c=[[0.3, 0.3, 0.9]])
plt.annotate("peak", (1, 3), xytext=(1.5, 2.5), arrowprops=dict(arrowstyle="->"))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.scatter([1, 2, 3], [3, 2, 1], color="darkgreen")
plt.scatter([1, 2, 3], [1, 2, 3], c=[0.1, 0.5, 0.9], cmap="viridis")
plt.annotate("peak", (1, 3))
