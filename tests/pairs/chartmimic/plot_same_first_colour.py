import matplotlib.pyplot as plt
import numpy as np

lines = plt.plot([1, 2], [1, 2], "k-", [1, 2], [2, 1], "k--", [1, 2], [3, 3], "k:")
for line, colour in zip(lines, ["red", "green", "blue"]):
    line.set_color(colour)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2], [1, 2], "r", [1, 2], [2, 1], "g", [1, 2], [3, 3], "b")
