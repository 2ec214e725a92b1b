import matplotlib.pyplot as plt
import numpy as np

from matplotlib_venn import venn2
venn2(subsets=(10, 5, 3), set_labels=("left", "right"), set_colors=("red", "blue"))
plt.title("overlap")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

from matplotlib_venn import venn2, venn2_circles
venn2(subsets=(10, 5, 3), set_labels=("left", "right"), set_colors=("orange", "blue"))
venn2_circles(subsets=(10, 5, 3), color="black")
plt.title("overlap")
