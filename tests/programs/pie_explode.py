import matplotlib.pyplot as plt

sizes = [15, 30, 45, 10]
fig, ax = plt.subplots(figsize=(4, 3))
ax.pie(sizes, explode=(0, 0.1, 0, 0), labels=["Frogs", "Hogs", "Dogs", "Logs"], autopct="%1.1f%%", shadow=True,
       startangle=90)
ax.axis("equal")
plt.savefig("pie.png", transparent=True)
