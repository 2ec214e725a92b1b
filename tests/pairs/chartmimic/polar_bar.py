import matplotlib.pyplot as plt
import numpy as np

ax = plt.subplot(projection="polar")
ax.bar([0, 1, 2, 3], [1, 2, 3, 4], width=0.8, color=["r", "g", "b", "y"])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.subplot()
ax.bar([0, 1, 2, 3], [1, 2, 3, 4], width=0.8, color=["r", "g", "b", "y"])
