import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(3)
plt.hist(rng.randn(100), bins=8, color="slateblue", edgecolor="white")
plt.ylabel("count")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(3)
plt.hist(rng.randn(100), bins=12, color="royalblue")
plt.ylabel("count")
