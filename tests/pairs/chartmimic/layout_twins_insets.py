import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([1, 2, 3], color="b")
twin = ax.twinx()
twin.plot([3, 1, 2], color="r")
twin.set_ylabel("second")
inset = ax.inset_axes([0.6, 0.6, 0.3, 0.3])
inset.plot([1, 2])
fig.add_axes([0.2, 0.6, 0.2, 0.2]).plot([2, 1])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([1, 2, 3], color="b")
fig.add_axes([0.2, 0.6, 0.2, 0.2]).plot([2, 1], color="r")
