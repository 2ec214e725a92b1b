import matplotlib.pyplot as plt
import numpy as np

for k in range(14):
    plt.plot([0, 1], [k, k + 1], color=plt.cm.tab20(k))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

for k in range(12):
    plt.plot([0, 1], [k, k + 1], color=plt.cm.nipy_spectral(k / 12))
