import matplotlib.pyplot as plt
import numpy as np

from mpl_toolkits.mplot3d.art3d import Poly3DCollection
ax = plt.figure().add_subplot(projection="3d")
ax.add_collection3d(Poly3DCollection([[(0, 0, 0), (1, 0, 0), (0, 1, 1)]], facecolors="cyan"))
ax.add_collection3d(Poly3DCollection([[(0, 0, 1), (1, 0, 1), (0, 1, 0)]], facecolors="magenta"))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

from mpl_toolkits.mplot3d.art3d import Poly3DCollection
ax = plt.figure().add_subplot(projection="3d")
ax.add_collection3d(Poly3DCollection([[(0, 0, 0), (1, 0, 0), (0, 1, 1)]], facecolors="darkcyan"))
