import matplotlib.pyplot as plt
import numpy as np

import datetime
days = [datetime.date(2024, 1, d) for d in (1, 2, 3)]
plt.plot(days, [1, 3, 2], color="teal", marker="o")
plt.gcf().autofmt_xdate()
plt.ylabel("level")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2, 3], [1, 3, 2], color="teal")
plt.xticks([1, 2, 3], ["Jan 1", "Jan 2", "Jan 3"])
plt.ylabel("level")
