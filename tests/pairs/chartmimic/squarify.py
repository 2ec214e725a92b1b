import matplotlib.pyplot as plt
import numpy as np

import squarify
squarify.plot(sizes=[5, 3, 2], label=["A", "B", "C"], color=["#e41a1c", "#377eb8", "#4daf4a"])
plt.axis("off")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

import squarify
squarify.plot(sizes=[5, 3], label=["A", "B"], color=["#e41a1c", "#ff7f00"])
plt.bar([1], [1], color="#e41a1c")
plt.axis("off")
