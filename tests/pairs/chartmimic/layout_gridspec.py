import matplotlib.pyplot as plt
import numpy as np

from matplotlib.gridspec import GridSpec
fig = plt.figure()
grid = GridSpec(2, 3, figure=fig)
fig.add_subplot(grid[0, :]).plot([1, 2])
fig.add_subplot(grid[1, 0]).plot([2, 1])
fig.add_subplot(grid[1, 1:]).plot([1, 1])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig = plt.figure()
ax = plt.subplot2grid((2, 3), (0, 0), colspan=3)
ax.plot([1, 2])
plt.subplot2grid((2, 3), (1, 0)).plot([2, 1])
plt.subplot2grid((2, 3), (1, 1)).plot([1, 1])
plt.subplot2grid((2, 3), (1, 2)).plot([1, 1])
