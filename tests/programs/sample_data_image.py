import matplotlib.cbook as cbook
import matplotlib.pyplot as plt

with cbook.get_sample_data("grace_hopper.jpg") as file:
    image = plt.imread(file)
fig, ax = plt.subplots()
clip = plt.Circle((260, 200), 200, transform=ax.transData)
ax.imshow(image).set_clip_path(clip)
ax.axis("off")
plt.show()
