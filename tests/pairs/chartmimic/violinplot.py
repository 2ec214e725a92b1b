import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(0)
made = plt.violinplot([rng.randn(30), rng.randn(30) + 1], showmeans=True)
made["bodies"][0].set_facecolor("red")
made["bodies"][1].set_facecolor("green")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(0)
made = plt.violinplot([rng.randn(30), rng.randn(30) + 1])
