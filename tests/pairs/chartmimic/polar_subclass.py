import matplotlib.pyplot as plt
import numpy as np

from matplotlib.projections import register_projection
from matplotlib.projections.polar import PolarAxes
class Radar(PolarAxes):
    name = "own radar"
    def plot(self, *args, **kwargs):
        return super().plot(*args, **kwargs)
register_projection(Radar)
ax = plt.subplot(projection="own radar")
ax.plot([0, 1, 2], [1, 2, 1], color="red")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.subplot(projection="polar")
ax.plot([0, 1, 2], [1, 2, 1], color="red")
