import matplotlib.pyplot as plt
import numpy as np

plt.pie([40, 35, 25], labels=["x", "y", "z"], autopct="%1.0f%%", colors=["gold", "plum", "khaki"], explode=[0.1, 0, 0])
plt.title("Shares")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.pie([40, 35, 20, 5], labels=["x", "y", "z", "w"], colors=["gold", "orchid", "khaki", "gray"],
        wedgeprops=dict(width=0.4))
plt.title("Shares")
