import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.bar(["a", "b", "c"], [3, 5, 2], color=["#ff0000", "#00aa00", "#0000ff"], label="sales")
ax.set_title("Sales by region")
ax.set_ylabel("tons")
ax.legend()
plt.savefig("bar.pdf", bbox_inches="tight")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.bar(["a", "b", "c"], [3, 4, 2], color=["red", "limegreen", "navy"])
plt.title("Sales by region")
plt.ylabel("Tons")
plt.show()
