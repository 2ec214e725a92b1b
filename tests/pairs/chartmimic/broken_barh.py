import matplotlib.pyplot as plt
import numpy as np

plt.broken_barh([(1, 2), (5, 1)], (0, 4), facecolors=["red", "blue"])
plt.broken_barh([(2, 2)], (5, 4), facecolors="green")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.broken_barh([(1, 2), (5, 1)], (0, 4), facecolors="red")
plt.broken_barh([(2, 2)], (5, 4), facecolors="lime")
