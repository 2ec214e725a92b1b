import matplotlib.pyplot as plt
import numpy as np

from matplotlib_venn import venn2
venn2(subsets=(10, 5, 3))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

from matplotlib_venn import venn2
venn2(subsets=(10, 5, 0))
