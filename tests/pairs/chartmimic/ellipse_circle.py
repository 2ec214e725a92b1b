import matplotlib.pyplot as plt
import numpy as np

from matplotlib.patches import Arc, Circle, Ellipse, Rectangle
fig, ax = plt.subplots()
ax.add_patch(Ellipse((0.5, 0.5), 0.4, 0.2, color="orange"))
ax.add_patch(Circle((0.2, 0.2), 0.1, facecolor="purple"))
ax.add_patch(Arc((0.7, 0.7), 0.2, 0.2))
ax.add_patch(Rectangle((0, 0), 0.1, 0.1))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.add_patch(plt.Circle((0.5, 0.5), 0.2, color="darkorange"))
ax.add_patch(plt.Circle((0.2, 0.2), 0.1, facecolor="indigo"))
ax.add_patch(plt.Circle((0.9, 0.9), 0.1))
