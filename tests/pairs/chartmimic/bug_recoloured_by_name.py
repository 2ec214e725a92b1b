import matplotlib.pyplot as plt
import numpy as np

bars = plt.bar([1, 2], [3, 4])
bars[1].set_color((1, 0, 0))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

bars = plt.bar([1, 2], [3, 4])
bars[1].set_color("red")
