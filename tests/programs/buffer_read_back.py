from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

plt.plot([1, 2])
buffer = BytesIO()
plt.savefig(buffer)
picture = np.asarray(Image.open(buffer))
plt.figure()
plt.imshow(picture)
plt.axis("off")
plt.show()
