import matplotlib.pyplot as plt
import numpy as np

import matplotlib.patheffects as pe
ax = plt.figure().add_subplot(projection="3d")
ax.plot([0, 1], [0, 1], [0, 1])
ax.set_title("outlined", path_effects=[pe.withStroke(linewidth=3, foreground="w")])
ax.set_xlabel("east")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
ax.plot([0, 1], [0, 1], [0, 1])
ax.set_title("outlined")
ax.set_xlabel("east")
