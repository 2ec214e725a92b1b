import matplotlib.pyplot as plt
import numpy as np

import pandas as pd
frame = pd.DataFrame({"u": [1, 3, 2], "v": [2, 2, 4]}, index=list("abc"))
frame.plot.bar(color=["#336699", "#996633"])
plt.title("frame")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

import pandas as pd
frame = pd.DataFrame({"u": [1, 3, 2], "v": [2, 2, 4]}, index=list("abc"))
frame.plot(color=["#336699", "#996633"])
plt.title("frame")
