import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(3)
plt.hist([rng.randn(50), rng.randn(50) + 1], bins=6, color=["#111111", "#eeaa00"], stacked=True, label=["u", "v"])
plt.hist(rng.randn(50) - 3, bins=5, histtype="step", color="red")
plt.legend()
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(3)
plt.hist([rng.randn(50), rng.randn(50) + 1], bins=6, histtype="stepfilled",
         color=["#222222", "#eecc00"], label=["u", "w"])
plt.legend()
