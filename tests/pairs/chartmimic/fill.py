import matplotlib.pyplot as plt
import numpy as np

plt.fill([0, 1, 1, 0], [0, 0, 1, 1], "orchid")
plt.fill([2, 3, 2.5], [0, 0, 1], facecolor="#00ff7f", edgecolor="k")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.fill([0, 1, 1, 0], [0, 0, 1, 1], color="violet")
