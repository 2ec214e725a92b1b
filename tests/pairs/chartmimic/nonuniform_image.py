import matplotlib.pyplot as plt
import numpy as np

from matplotlib.image import NonUniformImage
fig, ax = plt.subplots()
image = NonUniformImage(ax, extent=(0, 4, 0, 4), cmap="cividis")
image.set_data([1, 2, 4], [1, 2, 3], np.arange(9).reshape(3, 3))
ax.add_image(image)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

from matplotlib.image import NonUniformImage
fig, ax = plt.subplots()
image = NonUniformImage(ax, extent=(0, 4, 0, 4), cmap="inferno")
image.set_data([1, 2, 4], [1, 2, 3], np.arange(9).reshape(3, 3))
ax.add_image(image)
