import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2, 3], color="#1f77b4cc")
plt.plot([3, 2, 1], color=(0.2, 0.4, 0.6))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2, 3], color="#1F77B4")
plt.plot([3, 2, 1], color="0.5")
