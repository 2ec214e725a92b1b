import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
ax.bar3d([0, 1], [0, 1], [0, 0], 0.5, 0.5, [1, 2], color="salmon", shade=False)
ax.bar([0, 1, 2], [1, 2, 3], zs=2, zdir="y", color=["r", "g", "b"])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
ax.bar3d([0, 1], [0, 1], [0, 0], 0.5, 0.5, [1, 2], color="red", shade=False)
ax.bar([0, 1], [1, 2], zs=1, zdir="y", color=["r", "y"])
