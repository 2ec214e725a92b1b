import matplotlib.pyplot as plt
import numpy as np

plt.errorbar([1, 2, 3], [2, 3, 1], yerr=[0.2, 0.3, 0.1], fmt="o-", color="crimson", capsize=3, label="run")
plt.errorbar([1, 2, 3], [1, 1, 2], xerr=0.1, fmt="s")
plt.legend()
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.errorbar([1, 2, 3], [2, 3, 1], yerr=[0.2, 0.3, 0.1], color="red", label="run")
plt.plot([1, 2, 3], [1, 1, 2], "s")
plt.legend()
