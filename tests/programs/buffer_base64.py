import base64
from io import BytesIO

import matplotlib.pyplot as plt

plt.plot([1, 2])
buffer = BytesIO()
plt.savefig(buffer, format="png")
buffer.seek(0)
print(f"<img src='data:image/png;base64,{base64.b64encode(buffer.read()).decode()[:40]}'>")
