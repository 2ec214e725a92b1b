import matplotlib.gridspec as gridspec
import matplotlib.pyplot as plt

fig = plt.figure(figsize=(8, 6))
outer = gridspec.GridSpec(1, 2, figure=fig)
left = gridspec.GridSpecFromSubplotSpec(3, 3, subplot_spec=outer[0])
fig.add_subplot(left[:-1, :]).plot([1, 2])
fig.add_subplot(left[-1, :-1])
fig.add_subplot(left[-1, -1])
right = outer[1].subgridspec(3, 3)
for cell in (right[:, :-1], right[:-1, -1], right[-1, -1]):
    fig.add_subplot(cell).tick_params(labelbottom=False, labelleft=False)
plt.show()
