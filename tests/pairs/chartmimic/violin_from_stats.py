import matplotlib.pyplot as plt
import numpy as np

import matplotlib.cbook as cbook
fig, ax = plt.subplots()
stats = cbook.violin_stats([np.arange(10.0)], lambda x, coords: np.exp(-(coords - 4.5) ** 2))
ax.violin(stats)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.violinplot([np.arange(10.0)])
