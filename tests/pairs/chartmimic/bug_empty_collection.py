import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
ax.plot([0, 1], [0, 1], [0, 1], color="red")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

from mpl_toolkits.mplot3d.art3d import Line3DCollection
ax = plt.figure().add_subplot(projection="3d")
ax.plot([0, 1], [0, 1], [0, 1], color="red")
ax.add_collection3d(Line3DCollection([[(0, 0, 0), (1, 1, 0)]], colors="blue"))
