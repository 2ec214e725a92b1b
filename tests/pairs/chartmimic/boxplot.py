import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(1)
made = plt.boxplot([rng.randn(20) + k for k in range(3)], patch_artist=True)
for box, colour in zip(made["boxes"], ["pink", "lightblue", "lightgreen"]):
    box.set_facecolor(colour)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(2)
made = plt.boxplot([rng.randn(20) + k for k in range(3)], patch_artist=True, boxprops=dict(facecolor="lightgreen"))
