import matplotlib.pyplot as plt
import numpy as np

plt.barh(["alpha", "beta"], [1, 2], color="teal", hatch="/")
plt.xlabel("score")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.barh(["alpha", "beta"], [1, 2], color="darkcyan")
plt.bar([0], [1])
plt.xlabel("score")
